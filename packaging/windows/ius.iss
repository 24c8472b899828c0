; Per-user installer: no administrator; ius-setup.exe /VERYSILENT for software distribution. Built by Inno Setup 6:
;   iscc /DVersion=0.1.0 packaging\windows\ius.iss
; Removing or upgrading it touches {app} only: never Documents\iUS, settings or presets.
#ifndef Version
  #error Give /DVersion=...
#endif
[Setup]
AppId={{8E0C4C5B-6E0B-4F0E-9C57-1B8D7A1F2C11}
AppName=iUS viewer
AppVersion={#Version}
AppPublisher=The ius authors
AppComments=Research use only. Not for diagnosis or treatment.
DefaultDirName={localappdata}\Programs\ius
DefaultGroupName=iUS viewer
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
MinVersion=10.0.17763
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
SourceDir=..\..
LicenseFile=LICENSE
OutputDir=dist
OutputBaseFilename=ius-{#Version}-windows-x86_64-setup
Compression=lzma2
SolidCompression=yes
UninstallDisplayIcon={app}\ius-viewer.exe
ChangesAssociations=yes
CloseApplications=yes

; Files of an older version that a newer one no longer has would be loaded beside it.
[InstallDelete]
Type: filesandordirs; Name: "{app}\_internal"
Type: filesandordirs; Name: "{app}\licences"

[Files]
Source: "build\bundle\ius\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[Icons]
Name: "{group}\iUS viewer"; Filename: "{app}\ius-viewer.exe"

[Registry]
Root: HKCU; Subkey: "Software\Classes\.mcap\OpenWithProgids"; ValueType: string; ValueName: "ius.record"; ValueData: ""; Flags: uninsdeletevalue
Root: HKCU; Subkey: "Software\Classes\ius.record"; ValueType: string; ValueData: "iUS record"; Flags: uninsdeletekey
Root: HKCU; Subkey: "Software\Classes\ius.record\shell\open\command"; ValueType: string; ValueData: """{app}\ius-viewer.exe"" ""%1"""
