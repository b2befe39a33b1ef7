"""An engine for data sets of claims, each with the citations that support and dispute it."""
