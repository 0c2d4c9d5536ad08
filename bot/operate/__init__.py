"""What people and supervisors see of the bot: views that can fail without changing a decision."""
