"""Stories of the controls below controls/iam."""
