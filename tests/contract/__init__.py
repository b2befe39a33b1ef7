"""What holds for every type of record, every list, every error and the whole OpenAPI document."""
