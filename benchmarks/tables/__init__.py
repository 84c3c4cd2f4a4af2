"""What stands between the markers of README.md and docs/, written from the results files."""
