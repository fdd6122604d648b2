"""Where tests run: clusters, STENGs, jobs and how they travel."""
