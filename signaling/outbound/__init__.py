"""What is sent to others: webhooks to the hospital's software, notices and reminders to patients."""
