"""The CDS Hooks face: what it says, to whom, and what it never keeps."""
