# SPDX-License-Identifier: Apache-2.0
# bash completion for powerctl: asks `powerctl complete`, which has the words. As
# /usr/share/bash-completion/completions/powerctl it is found by itself; else source it.
_powerctl()
{
	local line=${COMP_LINE:0:COMP_POINT} word one rest breaks cut=0 path
	local -a words

	# bash parts words at = : and @ as well; powerctl wants them as they are typed.
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
	words=("${words[@]//[\"\'\\]/}")
	word=${words[-1]}
	# What stands before the last of those characters is not bash's to replace.
	if [[ ${COMP_WORDS[COMP_CWORD]} != [\"\']* ]]; then
		breaks=${COMP_WORDBREAKS//[\"\'[:space:]]/}
		for ((cut = ${#word}; cut > 0; cut--)); do
			[[ $breaks == *"${word:cut-1:1}"* ]] && break
		done
		[[ $cut -gt 0 && ${word:cut-1:1} == @ ]] && ((cut--)) # this one is
	fi
	COMPREPLY=()
	while IFS=$'\t' read -r one rest; do
		case $one in
		:files | :folders)
			compopt -o filenames
			[[ $one == :files ]] && path=-f || path=-d
			while read -r path; do
				COMPREPLY+=("$path")
			done < <(compgen "$path" -- "${word:${#rest}}")
			;;
		*) COMPREPLY+=("${one:cut}") ;;
		esac
	done < <("${1/#~\//$HOME/}" complete "${words[@]:1}" 2>/dev/null)
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
	return 0
}
complete -F _powerctl powerctl
