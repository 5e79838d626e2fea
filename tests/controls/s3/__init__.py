"""Stories of the controls below controls/s3."""
