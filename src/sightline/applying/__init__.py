"""From steps in a row and pictures to better pictures, findings and answers: chains of filters, finders and models."""
