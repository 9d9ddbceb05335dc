"""What the pages are made of: the parts of the dashboard that several pages can use."""
