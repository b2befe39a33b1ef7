"""What a person sees in a browser: the start page and two readers of the OpenAPI document."""
