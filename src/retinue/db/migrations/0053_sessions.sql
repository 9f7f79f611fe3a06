-- What a session was opened with, so that people know their own sessions apart. Never used to decide anything.

alter table session add column user_agent text;
