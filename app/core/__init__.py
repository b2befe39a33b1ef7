"""What every floor stands on. No domain and no HTTP library in here."""
