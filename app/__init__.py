"""LDN Evidence: what is claimed about low-dose naltrexone, with the citations that support and dispute it."""
