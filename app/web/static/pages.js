// Progressive: every page works without this file.
