"""What every face of the service shares: problems, caching, the guard in front and the server below."""
