"""Stories of the controls below controls/account."""
