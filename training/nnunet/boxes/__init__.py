"""Boxes that are predicted beside the masks: a head on nnU-Net's decoder, what it learns, and the table it fills."""

KEY = "box_head"
"""The head's weights in a checkpoint, apart from the network's, which stay plain nnU-Net's."""
