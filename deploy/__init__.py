"""`make deploy`: looks at the account, says what it decided and what that costs, deploys, and says what is left."""
