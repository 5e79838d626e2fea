"""Stories of the controls below controls/billing."""
