-- What was set of the queues, and lasts.
SELECT name, value FROM settings WHERE starts_with(name, $prefix)
