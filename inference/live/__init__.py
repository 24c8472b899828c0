"""A live session: source, guards, policy, model, answers and what is kept of them. No Qt."""
