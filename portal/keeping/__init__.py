"""What an operator does with stored data: check and hand out the trail, turn keys over, erase a person, copy and bring back."""
