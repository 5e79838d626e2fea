"""Stories of the controls below controls/detection."""
