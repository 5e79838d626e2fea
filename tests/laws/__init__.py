"""What every control keeps, checked over every story and every recorded event."""
