"""settle: judges, repairs, undoes and tells. Where decisions meet effects, through ports."""
