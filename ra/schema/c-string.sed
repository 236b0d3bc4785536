# A line of SQL as a line of a C string.
s/\\/&&/g
s/"/\\"/g
s/.*/"&\\n"/
