"""What talks to AWS, against moto and fakes."""
