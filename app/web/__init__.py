"""What a person sees in a browser: the start page and a reader of the OpenAPI document."""
