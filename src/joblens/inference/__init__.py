"""What a trained bundle does: `classify.Classifier` on texts, `files.predict_file` on files and tables."""
