package journal_test

func runChild() bool { return false }
