"""What makes the pages that follow from data: each generator beside its tests."""
