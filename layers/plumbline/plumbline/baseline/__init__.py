"""What must hold here: the rules that functions read, and the compiler that checks baseline.yaml at build."""
