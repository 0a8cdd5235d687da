"""The core in time: heartbeats, deadlines and the envelope, while a group change runs."""
