"""What scripts/crosscheck is made of: one module a domain, the others shared between them."""
