"""A live session: source, guards, policy, model, and the answers that are shown and kept. Free of Qt."""
