"""The patients of a study: cases, folds, and masks that cannot be right."""
