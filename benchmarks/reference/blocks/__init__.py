"""What stands between markers in a document: functions from the folder of published results to lines of Markdown."""
