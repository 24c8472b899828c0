"""What leaves the room: one captured frame as pictures or DICOM, a whole session as one page.

None of these files copies anything of a patient, and each says where its scale comes from, which model looked, and
whether text outside the sector was kept.
"""
