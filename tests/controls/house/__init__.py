"""Stories of the controls below controls/ec2."""
