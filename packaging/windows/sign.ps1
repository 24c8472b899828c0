# Signs files by the certificate in $env:CERTIFICATE (base64) and $env:PASSWORD; ends with an error where one was not signed.
param([Parameter(Mandatory)] [string] $Files)
$ErrorActionPreference = "Stop"
$certificate = Join-Path ([IO.Path]::GetTempPath()) "certificate.pfx"
[IO.File]::WriteAllBytes($certificate, [Convert]::FromBase64String($env:CERTIFICATE))
try {
    $tool = (Get-ChildItem "C:\Program Files (x86)\Windows Kits\10\bin\*\x64\signtool.exe")[-1]
    foreach ($file in Get-ChildItem $Files) {
        & $tool sign /fd SHA256 /tr http://timestamp.digicert.com /td SHA256 /f $certificate /p $env:PASSWORD $file
        if ($LASTEXITCODE -ne 0) { throw "$file was not signed." }
    }
} finally {
    Remove-Item $certificate
}
