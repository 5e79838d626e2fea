"""What people type, one module for each concern; `operate.answer` is the way in."""
