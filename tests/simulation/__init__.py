"""A model account with simulated time: random histories against the real engine, each from a seed, checked throughout.

Real: engine, sweep, reacting, sweeping, what people type, the ledger's Table, the queue and topic adapters, wording.
Modelled: the account's resources, DynamoDB, SQS, SNS, EventBridge, Lambda's time-outs, people, and everything that
goes wrong. `make simulate SEED=123` replays one history and prints it.
"""
