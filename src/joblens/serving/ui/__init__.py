"""The page for people: Streamlit in front of the API, which it asks over HTTP and in no other way."""
