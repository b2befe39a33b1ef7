"""Does a source say what it is cited for? What is held here of a source, its title, a quotation and a claim."""
