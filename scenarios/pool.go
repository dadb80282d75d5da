package scenarios

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// RunAll plays scenarios, at most parallel at a time, and gives each result to done in the order of the list, as soon as
// those before it are there. What ctx leaves unplayed is not given.
func RunAll(ctx context.Context, list []*Scenario, t Target, opt Options, parallel int, done func(Result)) {
	results := make([]chan Result, len(list))
	for i := range results {
		results[i] = make(chan Result, 1)
	}
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, min(parallel, len(list))) {
		wg.Go(func() {
			for i := range next {
				results[i] <- Run(ctx, list[i], t, opt)
			}
		})
	}
	wg.Go(func() {
		defer close(next)
		for i := range list {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	})
	for i := range list {
		select {
		case r := <-results[i]:
			done(r)
		case <-ctx.Done():
			wg.Wait()
			for ; i < len(list); i++ { // what was under way has ended by now
				select {
				case r := <-results[i]:
					done(r)
				default:
				}
			}
			return
		}
	}
	wg.Wait()
}

// Filter keeps the scenarios whose id or name a regular expression finds.
func Filter(list []*Scenario, expression string) ([]*Scenario, error) {
	re, err := regexp.Compile("(?i)" + expression)
	if err != nil {
		return nil, fmt.Errorf("--filter %q is no regular expression: %w", expression, err)
	}
	var kept []*Scenario
	for _, s := range list {
		if re.MatchString(s.ID) || re.MatchString(s.Name) {
			kept = append(kept, s)
		}
	}
	return kept, nil
}

// Shard keeps each n-th scenario, beginning with the i-th: 2/4 is the second of four parts.
func Shard(list []*Scenario, part string) ([]*Scenario, error) {
	a, b, _ := strings.Cut(part, "/")
	i, errI := strconv.Atoi(a)
	n, errN := strconv.Atoi(b)
	if errI != nil || errN != nil || n < 1 || i < 1 || i > n {
		return nil, fmt.Errorf("--shard %q: write i/n, such as 1/4 for the first of four parts", part)
	}
	var kept []*Scenario
	for k := i - 1; k < len(list); k += n {
		kept = append(kept, list[k])
	}
	return kept, nil
}
