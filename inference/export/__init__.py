"""Everything that is written for others to read: one captured frame as pictures or DICOM, a whole session as one page.

None of these files copies patient data. Each says where its scale comes from, which model analysed the frame, and
whether text outside the sector was kept.
"""
