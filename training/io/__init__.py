"""Files written aside and renamed, receipts, DICOM series."""
