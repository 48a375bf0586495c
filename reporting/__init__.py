"""What a run shows: progress, log, leaderboard, figures."""
