"""What people see without GitHub: the page behind the one address of a preview."""
