"""What every interface shares: problems, caching, the middleware in front and the server below."""
