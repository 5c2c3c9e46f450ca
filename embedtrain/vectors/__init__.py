"""What training gives: word vectors, their files, and questions to them."""
