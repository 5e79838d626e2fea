"""Stories of the controls below controls/root."""
